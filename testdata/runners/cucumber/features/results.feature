Feature: results

  Scenario: compares
    Given all is well
    Then 1 is 2

  Scenario: pending
    Then it is pending

  Scenario: skips
    Then it skips itself

  Scenario: has a step that nobody defined
    Given nobody defined this

  @no_browser
  Scenario: fails in Before
    Given all is well

  @bad_teardown
  Scenario: fails in After
    Given all is well

  @left_out
  Scenario: is left out
    Then 1 is 2
