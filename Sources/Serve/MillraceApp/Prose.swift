internal import ArgumentParser
internal import Synchronization

/// Texts of help, which are wrapped once: to the width they are shown in.
enum Prose {
    /// The parser asks for the help of all commands many times a run, and needs it once.
    private static let flowed = Mutex<[String: String]>([:])

    /// Each paragraph in one line. A line that is indented stays a line, and so does what stands between empty ones.
    static func flowing(_ text: String) -> String {
        if let known = flowed.withLock({ $0[text] }) { return known }
        let flowing = joined(text)
        flowed.withLock { $0[text] = flowing }
        return flowing
    }

    private static func joined(_ text: String) -> String {
        var lines: [String] = []
        var goesOn = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            let isOfParagraph = !line.isEmpty && !line.hasPrefix(" ")
            if isOfParagraph && goesOn { lines[lines.count - 1] += " " + line } else { lines.append(line) }
            goesOn = isOfParagraph
        }
        return lines.joined(separator: "\n")
    }

    /// One paragraph within the terminal's width, where there is a terminal.
    ///
    /// - Parameter indent: Of the lines behind the first.
    static func fitted(_ text: String, indent: Int = 4) -> String {
        guard let width = Terminal.width else { return text }
        return DisplayWidth.wrapped(text, max(width - indent, indent))
            .joined(separator: "\n" + String(repeating: " ", count: indent))
    }

    /// The paragraphs in lines of the terminal's width, or of 80 columns.
    static func wrapped(_ text: String) -> String {
        let width = Terminal.width ?? 80
        let lines = flowing(text).split(separator: "\n", omittingEmptySubsequences: false).flatMap { line in
            line.hasPrefix(" ") ? [String(line)] : DisplayWidth.wrapped(String(line), width)
        }
        return lines.joined(separator: "\n")
    }
}

extension CommandConfiguration {
    /// - Parameter paragraphs: Wrapped by hand where it is written, and anew where it is shown.
    init(
        commandName: String? = nil, abstract: String, paragraphs: String, version: String = "",
        subcommands: [any ParsableCommand.Type] = [], defaultSubcommand: (any ParsableCommand.Type)? = nil
    ) {
        self.init(
            commandName: commandName, abstract: abstract, discussion: Prose.flowing(paragraphs), version: version,
            subcommands: subcommands, defaultSubcommand: defaultSubcommand)
    }
}
