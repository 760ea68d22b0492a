//! Aligned tables. Widths count what a terminal shows, not bytes; nothing is cut off where no width is given.

use console::{Alignment, measure_text_width, pad_str, truncate_str};

use crate::output::Look;

/// Between two columns.
const GAP: &str = "  ";
/// What a column that must give way keeps at least.
const WIDTH_MIN: usize = 12;

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    heading: &'static str,
    alignment: Alignment,
}

impl Column {
    /// A column of texts.
    pub(crate) const fn text(heading: &'static str) -> Self {
        Self {
            heading,
            alignment: Alignment::Left,
        }
    }

    /// A column of figures.
    pub(crate) const fn figure(heading: &'static str) -> Self {
        Self {
            heading,
            alignment: Alignment::Right,
        }
    }
}

/// The table as text, each line ended by a line feed. Columns that are empty in every row are left out. On a
/// terminal the last column is cut to fit; the others never are, since ids and names are copied from them.
pub(crate) fn render(columns: &[Column], rows: &[Vec<String>], look: Look) -> String {
    let used: Vec<usize> = (0..columns.len())
        .filter(|&index| {
            rows.iter()
                .any(|row| row.get(index).is_some_and(|cell| !cell.is_empty()))
        })
        .collect();
    let widths: Vec<usize> = used
        .iter()
        .map(|&index| {
            let cells = rows.iter().filter_map(|row| row.get(index));
            cells
                .map(|cell| measure_text_width(cell))
                .fold(columns[index].heading.len(), usize::max)
        })
        .collect();
    let before_last: usize = widths.iter().rev().skip(1).map(|width| width + GAP.len()).sum();
    let last_max = look
        .width
        .map(|width| width.saturating_sub(before_last).max(WIDTH_MIN));
    let line = |cell: &dyn Fn(usize) -> String| {
        let mut line = String::new();
        for (place, (&index, &width)) in used.iter().zip(&widths).enumerate() {
            let is_last = place + 1 == used.len();
            let text = cell(index);
            let text = match last_max {
                Some(max) if is_last => truncate_str(&text, max, "…").into_owned(),
                _ => text,
            };
            line.push_str(&pad_str(&text, width, columns[index].alignment, None));
            if !is_last {
                line.push_str(GAP);
            }
        }
        format!("{}\n", line.trim_end())
    };
    let mut table = line(&|index| look.heading(columns[index].heading));
    for row in rows {
        table.push_str(&line(&|index| row.get(index).cloned().unwrap_or_default()));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] = [
        Column::text("NAME"),
        Column::figure("N"),
        Column::text("EMPTY"),
        Column::text("TITLE"),
    ];

    fn rows() -> Vec<Vec<String>> {
        [
            ["Bücher", "7", "", "first"],
            ["日本", "1234", "", "a title that is somewhat long"],
        ]
        .map(|row| row.map(str::to_owned).to_vec())
        .to_vec()
    }

    #[test]
    fn columns_line_up_by_what_a_terminal_shows_and_empty_ones_are_left_out() {
        let table = render(&COLUMNS, &rows(), Look::PLAIN);
        assert_eq!(
            table,
            "NAME       N  TITLE\nBücher     7  first\n日本    1234  a title that is somewhat long\n"
        );
    }

    #[test]
    fn on_a_narrow_terminal_only_the_last_column_is_cut() {
        let table = render(
            &COLUMNS,
            &rows(),
            Look {
                colours: false,
                width: Some(30),
            },
        );
        assert_eq!(table.lines().last().unwrap(), "日本    1234  a title that is…");
    }

    #[test]
    fn colours_do_not_move_columns() {
        let look = Look {
            colours: true,
            width: None,
        };
        let mut rows = rows();
        rows[0][0] = look.state("ERROR", "Bücher");
        let table = render(&COLUMNS, &rows, look);
        assert_eq!(
            console::strip_ansi_codes(&table),
            render(&COLUMNS, &self::rows(), Look::PLAIN)
        );
    }
}
