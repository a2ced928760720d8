RSpec.describe "after(:all)" do
  after(:all) { raise "cannot drop the database" }
  it("passes") {}
end
