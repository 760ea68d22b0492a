//! What submissions and the topology need to know of plugins.

use deadpool_postgres::Transaction;
use serde_json::Value;
use shared::plugin::PluginName;

use super::{Error, Transact};

/// A plugin as submissions are checked against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugin {
    /// Its name.
    pub name: PluginName,
    /// Jobs need a source folder.
    pub needs_source: bool,
    /// Jobs need a target folder.
    pub needs_target: bool,
    /// Jobs need a template.
    pub needs_template: bool,
    /// JSON Schema of its parameters, as its workers announced it.
    pub parameters_schema: Option<Value>,
}

/// All plugins, by name.
#[derive(Debug)]
pub struct All;

impl Transact for All {
    const NAME: &'static str = "plugins.all";
    type Output = Vec<Plugin>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let statement = tx
            .prepare_cached(
                "-- plugins.all
                 SELECT name, needs_source, needs_target, needs_template, parameters_schema FROM plugins
                 ORDER BY name",
            )
            .await?;
        tx.query(&statement, &[])
            .await?
            .iter()
            .map(|row| {
                let name = row.get::<_, &str>(0);
                let name = name.parse().map_err(|_| Error::Inconsistent {
                    table: "plugins",
                    column: "name",
                    row: name.to_owned(),
                })?;
                Ok(Plugin {
                    name,
                    needs_source: row.get(1),
                    needs_target: row.get(2),
                    needs_template: row.get(3),
                    parameters_schema: row.get(4),
                })
            })
            .collect()
    }
}
