# How much room an upgrade needs on the server's volume: for the upgrade Job, which refuses to begin without it, and for the precheck before. In: a line
# "NAME KIB BYTES" for each file of tables and indexes (%f %k %s of find), in base and all tablespaces. Variables: databases; segment, bytes of a WAL
# segment; status, KiB of pg_xact and pg_multixact. Out: "MODE KIB INODES" for each transfer mode, "catalogs KIB" of the new cluster, "data KIB FILES".
#
# Measured: an empty new cluster and its logs take about 100 MB and three WAL segments; every database about 9.5 MB, or what its catalogs take.
# Large objects (2613, 2683) are not catalogs here, but data. The transaction status is copied in every mode.
{
  size = int(($3 + 4095) / 4096) * 4
  if ($2 > size) size = $2
  split($1, n, /[._]/)
  if (n[1] < 16384 && n[1] != 2613 && n[1] != 2683) old += size
  else { data += size; files++ }
}
END {
  catalogs = int(old * 5 / 4)
  if (catalogs < databases * 9500) catalogs = databases * 9500
  needed = 100 * 1024 + int(3 * segment / 1024) + catalogs + status
  inodes = 1500 + databases * 350
  printf "link %.0f %.0f\n", needed, inodes
  # Its metadata, where each page of 8 KB is an extent of its own.
  printf "clone %.0f %.0f\n", needed + int(data / 50) + files, inodes + files
  printf "copy %.0f %.0f\n", needed + data + int(data / 20), inodes + files + int(files / 20)
  printf "catalogs %.0f\ndata %.0f %.0f\n", catalogs, data, files
}
