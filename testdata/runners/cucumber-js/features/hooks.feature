Feature: Hooks

  @before
  Scenario: before
    Given a stack

  @after
  Scenario: after
    Given a stack
