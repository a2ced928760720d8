Feature: Stack

  Background:
    Given a stack

  Scenario: push
    When I push "one"
    Then it has 1 item

  Scenario: twice
    Then it has 0 items

  Scenario: twice
    Then it has 0 items

  Scenario: fails
    When I push "one"
    Then it has 3 items

  Scenario Outline: push <item>
    When I push "<item>"
    Then it has <count> items

    Examples:
      | item                            | count |
      | a b, ünïcode                    | 1     |
      | .*[regex]+(characters)? <quote> | 1     |
      | too few                         | 2     |

  Rule: Not all of it works

    Scenario: pending
      Then this is not done yet

    Scenario: skipped
      Then this is not for here

    Scenario: undefined
      Then nobody knows this step

    Scenario: ambiguous
      Given something

    @left-out
    Scenario: no tag for it
      Given a stack
