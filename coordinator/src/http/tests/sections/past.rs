//! What the start page says about months and page contracts.

use super::*;

/// What ended in some months, and contracts on that.
const PAST: &str = "INSERT INTO statistics (day, plugin, project, outcome, jobs, items, bytes, seconds)
    SELECT (date_trunc('month', tm_now() AT TIME ZONE 'UTC') - make_interval(months => ago))::date + 3, plugin,
        project, outcome, jobs, items, 1000, 60
    FROM (VALUES (1, 'OCR', 'a', 'done', 30, 3000), (1, 'OCR', 'b', 'done', 4, 400), (1, 'OCR', 'a', 'error', 2, 5),
                 (2, 'JP2', '', 'done', 1200, 0), (2, 'JP2', '', 'cancelled', 6, 0), (40, 'OCR', '', 'done', 9, 90))
        AS past (ago, plugin, project, outcome, jobs, items);
    INSERT INTO quotas (plugin, pages_total, pages_a_period, period, used_total, used_in_period)
    VALUES ('OCR', 10000, 500, 'month', 2500, 500)";

#[tokio::test]
async fn months_and_contracts_stand_on_the_start_page_as_charts_and_tables() {
    let (database, router) = with(&two_plugins()).await;
    let [english, german] = in_both(&router, "/").await;
    says(&english, "No job has been completed in the last twelve months");
    assert!(!german.contains("Seitenkontingente"), "there is no contract");
    database.execute(PAST).await;
    let [english, german] = in_both(&router, "/").await;
    for words in [
        "JP2: completed jobs in each of the last twelve months, 1,200 at most",
        "<b>1,234</b>",
        "Page contracts",
        "OCR, in all: 25 percent used",
        ">7,500<",
        "OCR, this month: 100 percent used",
        "used up: jobs wait until ",
    ] {
        says(&english, words);
    }
    for words in [
        "OCR: abgeschlossene Aufgaben in jedem der letzten zwölf Monate, höchstens 34",
        "<b>1.234</b>",
        "OCR, insgesamt: 25 Prozent verbraucht",
        "aufgebraucht: Aufgaben warten bis ",
    ] {
        says(&german, words);
    }
    assert_eq!(
        english.matches("<rect x=").count(),
        24,
        "twelve months of two plugins"
    );
    let fragment = browse(&router, "/?fragment=1").await.body;
    assert!(
        !fragment.contains("<rect x="),
        "what is asked for every second has no charts"
    );
}

#[tokio::test]
async fn all_months_are_exported_as_csv_by_plugin_and_without_projects() {
    let (database, router) = with(&two_plugins()).await;
    database.execute(PAST).await;
    let months =
        "SELECT to_char((tm_now() AT TIME ZONE 'UTC')::date - make_interval(months => ago), 'YYYY-MM')
                  FROM unnest(ARRAY[40, 2, 1]) AS ago";
    let months = database.texts(months).await;
    let answer = browse(&router, "/statistics/months.csv").await;
    assert_eq!(
        answer.header(CONTENT_TYPE),
        "text/csv; charset=utf-8; header=present"
    );
    assert!(answer.header("content-disposition").starts_with("attachment"));
    let wanted = [
        "month,plugin,done,failed,cancelled,pages,bytes,seconds".to_owned(),
        format!("{},OCR,9,0,0,90,1000,60", months[0]),
        format!("{},JP2,1200,0,6,0,2000,120", months[1]),
        format!("{},OCR,34,2,0,3405,3000,180", months[2]),
    ];
    assert_eq!(answer.body.split_terminator("\r\n").collect::<Vec<_>>(), wanted);
}
