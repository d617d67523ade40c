CREATE FUNCTION show_partitions() RETURNS text LANGUAGE sql AS 'SELECT text ''partitions''';
