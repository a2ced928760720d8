Feature: ends

  Scenario: exits
    Then it exits

  Scenario: exits at once
    Then it exits at once

  Scenario: is killed
    Then it is killed

  Scenario: hangs
    Then it hangs
