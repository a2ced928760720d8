Feature: Process

  Scenario: passes
    Given a stack

  Scenario: exits
    When the process exits

  Scenario: is killed
    When the process is killed

  Scenario: hangs
    When it sleeps
