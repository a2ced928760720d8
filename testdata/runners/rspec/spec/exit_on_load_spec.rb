abort "this database is production's"
