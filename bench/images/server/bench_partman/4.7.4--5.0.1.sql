DROP FUNCTION create_trigger_parent();
