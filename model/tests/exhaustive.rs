use model::Checkable;
#[test]
fn sizes() {
    let only = std::env::var("ONLY").unwrap_or_default();
    for m in Checkable::ALL {
        if matches!(m, Checkable::Submissions | Checkable::Leases) || !format!("{m:?}").contains(&only) { continue }
        println!("{}", m.check());
    }
}
