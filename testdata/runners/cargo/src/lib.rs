//! What a test can do, for libtest.

/// Doctests are not run by the preset.
///
/// ```
/// assert!(false);
/// ```
pub fn add(a: i32, b: i32) -> i32 {
    a + b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes() {
        assert_eq!(add(1, 1), 2);
    }

    #[test]
    fn passes_too() {
        print!("no line end");
    }

    #[test]
    fn fails() {
        println!("printed by the test");
        assert_eq!(add(1, 1), 3, "the answer is wrong");
    }

    #[test]
    fn returns_an_error() -> Result<(), String> {
        Err("boom".to_string())
    }

    #[test]
    #[ignore = "not today"]
    fn ignored() {
        panic!();
    }

    #[test]
    #[should_panic(expected = "boom")]
    fn panics_as_it_should() {
        panic!("boom");
    }

    #[test]
    #[should_panic]
    fn should_panic_but_does_not() {}

    #[test]
    fn prüft_ünicode() {}

    #[test]
    fn prints_what_looks_like_a_result() {
        println!("test tests::fails ... ok");
        println!("test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s");
    }

    #[test]
    fn sees_the_variables_of_cargo() {
        let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap();
        assert_eq!(std::env::current_dir().unwrap(), std::path::Path::new(&folder));
        assert_eq!(std::env::var("CARGO_PKG_NAME").unwrap(), "cargo-project");
    }
}
