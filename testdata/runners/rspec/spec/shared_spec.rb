RSpec.describe(Array) { it_behaves_like "a list" }
RSpec.describe(Hash) { it_behaves_like "a list" }
RSpec.describe([1]) { subject { [1] }; include_examples "a list" }
