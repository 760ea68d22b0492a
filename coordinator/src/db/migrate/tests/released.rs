//! Migrations that databases may have had applied: what they were is what they are.

use super::embedded;

/// Each migration with its checksum, as databases remember it. A new one adds its line, and no line ever changes.
const RELEASED: [(&str, u64); 21] = [
    ("V1__initial", 15_331_551_875_406_181_644),
    ("V2__controls", 4_729_385_839_999_824_627),
    ("V3__worker_users", 13_030_871_931_645_923_974),
    ("V4__stores_to_remove", 6_293_270_958_928_420_836),
    ("V5__deliveries", 16_020_260_701_636_969_509),
    ("V6__true_counts", 9_770_455_486_446_679_574),
    ("V7__plugin_rules", 16_818_399_178_398_837_847),
    ("V8__beats", 1_252_397_650_075_073_024),
    ("V9__housekeeping", 888_263_400_329_168_736),
    ("V10__storages", 8_873_936_261_500_236_773),
    ("V11__unknown_stores", 2_315_251_306_765_895_790),
    ("V12__itm_ids", 10_945_470_143_071_465_749),
    ("V13__accounts", 14_503_134_432_948_656_483),
    ("V14__sums", 9_724_537_370_807_389_324),
    ("V15__ask_anew", 15_223_566_767_046_743_729),
    ("V16__search", 18_302_062_135_107_864_136),
    ("V17__page_settings", 9_369_946_191_045_016_077),
    ("V18__object_storage", 4_548_709_663_460_896_448),
    ("V19__search_waiting", 14_321_761_732_296_606_328),
    ("V20__partitions_ahead", 2_616_860_909_689_190_844),
    ("V21__roots_and_coordinators", 8_635_296_917_691_141_776),
];

#[test]
fn a_migration_that_exists_is_never_edited() {
    let runner = embedded::migrations::runner();
    let mut migrations: Vec<_> = runner.get_migrations().iter().collect();
    migrations.sort_by_key(|migration| migration.version());
    for (place, migration) in migrations.iter().enumerate() {
        let line = format!("(\"{migration}\", {}),", migration.checksum());
        match RELEASED.get(place) {
            None => panic!("a new migration adds its line to the list of this test: {line}"),
            Some((name, _)) => assert_eq!(
                *name,
                migration.to_string(),
                "a migration was removed, renamed or put between"
            ),
        }
        assert_eq!(
            RELEASED[place].1,
            migration.checksum(),
            "{migration} was edited: databases that have it would refuse to start. Take the change back, and put it into \
             a new file with the next number"
        );
    }
    assert_eq!(migrations.len(), RELEASED.len(), "a migration was removed");
}
