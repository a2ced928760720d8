Feature: A name with spaces

  Scenario: passes
    Given a stack
