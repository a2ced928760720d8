// Prints as JSON how many cases of each kind each reader finds in a JUnit file.
import fs from 'node:fs'
import {parse} from 'junit2json'
import results from 'test-results-parser'

const file = process.argv[2]
const suites = (await parse(fs.readFileSync(file, 'utf8'))).testsuite ?? []
const cases = suites.flatMap(suite => suite.testcase ?? [])
const count = kind => cases.filter(c => c[kind]).length
const found = results.parse({type: 'junit', files: [file]})
console.log(JSON.stringify({
  'junit2json': {Tests: cases.length, Failures: count('failure'), Errors: count('error'), Skipped: count('skipped')},
  'test-results-parser': {Tests: found.total + found.skipped, Failures: found.failed, Errors: found.errors, Skipped: found.skipped},
}))
