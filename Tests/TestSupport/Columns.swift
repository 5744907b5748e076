/// Lines of cells, lined up for a person.
///
/// - Parameter right: Columns whose cells are lined up on the right.
public func columns(_ lines: [[String]], right: Set<Int>) -> String {
    let widths = (lines.first ?? []).indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { line in
        let padded = line.enumerated().map { column, cell in
            let space = String(repeating: " ", count: widths[column] - cell.count)
            return right.contains(column) ? space + cell : cell + space
        }
        return String(padded.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
}
