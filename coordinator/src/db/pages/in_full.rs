//! The plugins with all that pages show of them, from one transaction.

use super::plugins::{self, PluginRow};
use super::quotas::{self, Contract};
use super::settings::{AllSettings, ReadSettings};
use super::standing::{self, Standings};
use crate::db::{Error, Transact, Transaction};

/// All that is known of the plugins.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginsInFull {
    /// The plugins and their queues, by name.
    pub plugins: Vec<PluginRow>,
    /// Since when and why they are stopped, and whether jobs start by themselves.
    pub standings: Standings,
    /// What people have set.
    pub settings: AllSettings,
    /// The page contracts.
    pub contracts: Vec<Contract>,
}

/// Reads [`PluginsInFull`].
#[derive(Debug, Clone, Copy)]
pub struct ReadPluginsInFull;

impl Transact for ReadPluginsInFull {
    const NAME: &'static str = "pages.plugins_in_full";
    type Output = PluginsInFull;

    async fn run(&self, tx: &Transaction<'_>) -> Result<PluginsInFull, Error> {
        Ok(PluginsInFull {
            plugins: plugins::read(tx).await?,
            standings: standing::read(tx).await?,
            settings: ReadSettings.run(tx).await?,
            contracts: quotas::read(tx).await?,
        })
    }
}
