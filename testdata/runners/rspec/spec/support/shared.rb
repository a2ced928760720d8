RSpec.shared_examples "a list" do
  it("is enumerable") { expect(subject).to respond_to(:each) }
  it("is empty") { expect(subject).to be_empty }
end
