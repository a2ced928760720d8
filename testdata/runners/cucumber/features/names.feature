Feature: names with "quotes", ünïcode ✓ and a.*b

  Background:
    Given all is well

  Scenario: passes
    Then 1 is 1

  Scenario: passes
    Then 2 is 2

  Scenario: 日本 [x] (y) $ ^ | \ ?
    Then 3 is 3

  Scenario Outline: takes <value>
    Given I have "<value>"

    Examples:
      | value |
      | a b   |
      |       |
      | ü     |
