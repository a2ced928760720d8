Feature: broken

  Scenario: never runs
    Given all is well
    This is no step
