//! What a waiting job says when its plugin's page contract is used up.

use super::*;
use crate::db::pages::sample::id;

#[tokio::test]
async fn a_job_that_waits_for_a_page_contract_says_so_in_lists_on_its_page_and_over_the_api() {
    let mut sample = two_plugins();
    sample.worker("w", "OCR", 4, 1, false);
    let (database, router) = with(&sample).await;
    database
        .execute("INSERT INTO quotas (plugin, pages_total, used_total) VALUES ('OCR', 100, 99)")
        .await;
    let words = [
        "The page contract of OCR is used up",
        "Das Seitenkontingent von OCR ist aufgebraucht",
    ];
    let job = format!("/jobs/{}", id("book"));
    let pages = ["/?plugin=OCR", "/?tab=queue", "/search?state=queue", &job];
    for used_up in [false, true] {
        for address in pages {
            for (page, words) in in_both(&router, address).await.iter().zip(words) {
                assert_eq!(page.contains(words), used_up, "{address}: {page}");
            }
        }
        let list = ask(&router, "/api/v1/jobs?plugin=OCR").await.json();
        assert_eq!(list["jobs"][0]["waits_for"] == words[0], used_up, "{list}");
        let [other, _] = in_both(&router, "/?plugin=JP2").await;
        assert!(!other.contains("The page contract of"), "another plugin's");
        database.execute("UPDATE quotas SET used_total = 100").await;
    }
}
