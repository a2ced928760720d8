Feature: Broken

  Scenario: never runs
    Given a stack
  This is no step
