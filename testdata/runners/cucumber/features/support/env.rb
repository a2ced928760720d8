Before("@no_browser") { raise "no browser" }
After("@bad_teardown") { raise "no teardown" }
