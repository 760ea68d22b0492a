//! The plugins' names, which every page has in its menu, read in the transaction of the page itself.

use super::rows;
use crate::db::{Error, Transact, Transaction};

/// A plugin in the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuEntry {
    /// Its name.
    pub name: String,
    /// Its title in English.
    pub title_en: String,
    /// Its title in German.
    pub title_de: String,
}

/// A page's reading together with the menu.
#[derive(Debug, Clone, Copy)]
pub struct WithMenu<T>(pub T);

impl<T: Transact> Transact for WithMenu<T> {
    const NAME: &'static str = T::NAME;
    type Output = (Vec<MenuEntry>, T::Output);

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let menu = rows(
            tx,
            "-- pages.menu\nSELECT name, title_en, title_de FROM plugins ORDER BY name",
            &[],
        )
        .await?
        .iter()
        .map(|row| {
            Ok(MenuEntry {
                name: row.try_get("name")?,
                title_en: row.try_get("title_en")?,
                title_de: row.try_get("title_de")?,
            })
        })
        .collect::<Result<_, Error>>()?;
        Ok((menu, self.0.run(tx).await?))
    }
}
