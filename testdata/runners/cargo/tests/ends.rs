#[test]
fn exits() {
    std::process::exit(0);
}

#[test]
fn aborts() {
    std::process::abort();
}

#[test]
fn kills() {
    let pid = std::process::id().to_string();
    std::process::Command::new("kill").args(["-KILL", &pid]).status().unwrap();
}

#[test]
fn overflows_the_stack() {
    fn deeper(n: u64) -> u64 {
        if n == 0 { 0 } else { 1 + deeper(std::hint::black_box(n - 1)) }
    }
    assert_eq!(deeper(u64::MAX), 0);
}

#[test]
fn hangs() {
    std::thread::sleep(std::time::Duration::from_secs(600));
}

#[test]
fn after() {}
