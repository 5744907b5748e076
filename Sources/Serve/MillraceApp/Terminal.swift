internal import Foundation
internal import Synchronization

/// What is known of the terminal that this process writes to.
enum Terminal {
    /// The columns of standard output; nil where it is no terminal, and nothing has to fit.
    static var width: Int? {
        if isatty(STDOUT_FILENO) != 1 || Output.standard.isGathering { return nil }
        return columns(of: STDOUT_FILENO)
    }

    /// As the terminal tells, else `COLUMNS`, else 80.
    static func columns(of descriptor: Int32) -> Int {
        var size = winsize()
        if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
        let said = ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) }
        return said.flatMap { $0 > 0 ? $0 : nil } ?? 80
    }
}

/// Colours for words that are good or bad news, on a terminal only.
enum Palette: String {
    case good = "32"
    case bad = "31"
    case doubtful = "33"

    /// `--no-color`.
    private static let isForbidden = Mutex(false)
    static func forbid(_ isForbidden: Bool) { self.isForbidden.withLock { $0 = isForbidden } }

    /// Whether a descriptor is shown in colours: a terminal that has some, where neither `--no-color` nor NO_COLOR
    /// (no-color.org) says otherwise.
    static func isOn(for descriptor: Int32) -> Bool {
        if isatty(descriptor) != 1 || Output.standard.isGathering || isForbidden.withLock({ $0 }) { return false }
        let environment = ProcessInfo.processInfo.environment
        return (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }

    /// The text in this colour where standard output has colours.
    func callAsFunction(_ text: String, for descriptor: Int32 = STDOUT_FILENO) -> String {
        Self.isOn(for: descriptor) ? "\u{1b}[\(rawValue)m\(text)\u{1b}[0m" : text
    }

    /// The colour of a word that says how something stands; nil where it says nothing.
    static func of(_ word: String) -> Palette? {
        switch word {
        case "ok", "accepted", "made", "live": .good
        case "WRONG", "refused", "wrong", "failed", "no topic": .bad
        case "not checked", "changed": .doubtful
        default: word.hasSuffix(" ahead") ? .bad : nil
        }
    }
}
