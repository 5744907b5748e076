/// How a text is shown to people where it must not pass for another: what shows nothing, or changes the order or place of
/// what is shown around it, is written as an escape.
package enum Shown {
    /// Whether a scalar shows nothing of its own: controls, line separators, marks of direction, joiners, fillers, variation
    /// selectors, and what is no character at all.
    package static func hides(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7f }
        let properties = scalar.properties
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate: return true
        // Signs of Arabic and Kaithi numbers and verses have this category and are seen.
        case .format: return !(0x600...0x605).contains(scalar.value) && !seen.contains(scalar.value)
        default: return properties.isDefaultIgnorableCodePoint || properties.isNoncharacterCodePoint
        }
    }

    private static let seen: Set<UInt32> = [0x6dd, 0x70f, 0x890, 0x891, 0x8e2, 0x110bd, 0x110cd]

    /// `\u{202e}`.
    package static func escape(_ scalar: Unicode.Scalar) -> String { "\\u{\(String(scalar.value, radix: 16))}" }

    /// The text on one line.
    ///
    /// - Parameter breaking: Whether line feeds and tabs stay as they are.
    package static func text(_ text: String, breaking: Bool = false) -> String {
        // Printable ASCII, which most is.
        if text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return text }
        var out = String.UnicodeScalarView()
        let scalars = Array(text.unicodeScalars)
        for (i, scalar) in scalars.enumerated() {
            if !hides(scalar) || breaking && (scalar == "\n" || scalar == "\t") || isOfEmoji(scalars, i) {
                out.append(scalar)
            } else {
                out.append(contentsOf: escape(scalar).unicodeScalars)
            }
        }
        return String(out)
    }

    /// All but printable ASCII as escapes.
    package static func scalars(of text: String) -> String {
        text.unicodeScalars.reduce(into: "") { out, scalar in
            if (0x20..<0x7f).contains(scalar.value) { out.unicodeScalars.append(scalar) } else { out += escape(scalar) }
        }
    }

    /// Whether a joiner or selector is what makes one emoji of its neighbours.
    private static func isOfEmoji(_ scalars: [Unicode.Scalar], _ i: Int) -> Bool {
        switch scalars[i] {
        case "\u{fe0f}": i > 0 && scalars[i - 1].properties.isEmoji
        case "\u{200d}":
            i > 0 && i + 1 < scalars.count && isPicture(scalars[i + 1])
                && (isPicture(scalars[i - 1]) || scalars[i - 1] == "\u{fe0f}" && i > 1 && isPicture(scalars[i - 2]))
        default: false
        }
    }

    private static func isPicture(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isEmoji && !scalar.isASCII }
}
