/// Reads files that others wrote, as records of one of a domain's topics: `millrace import NAME FILE`.
///
/// An importer is pure: it is given lines and gives records. Reading the file, going on where an import was interrupted,
/// passing over what was imported before, counting and writing are the same for all of them.
public struct Importer: Sendable {
    /// Of all domains there is one of this name.
    public let name: String
    /// One sentence.
    public let about: String
    /// The rest of its help, in lines of up to 78 columns.
    public let discussion: String
    /// The topic its records go to. Where they are commands, the domain's handler decides them, and the import counts what it
    /// answers.
    public let topic: String
    /// Whether the records are written in the order of their moments instead of the lines'.
    public let isByTime: Bool
    /// Its own options, without the dashes.
    public let parameters: [Parameter]
    /// How many records are put in the order of their moments at once.
    public static let mostByTime = 500_000
    /// Begins a file.
    ///
    /// - Throws: ``Malformed`` where an option is not as it must be.
    public let open: @Sendable (ImportSource) throws(Malformed) -> ImportReader

    /// Declares an importer, for ``Domain/importing(_:)``.
    public init(
        _ name: String, _ about: String, discussion: String, into topic: String, byTime: Bool = false,
        _ parameters: [any DeclaredParameter] = [],
        open: @escaping @Sendable (ImportSource) throws(Malformed) -> ImportReader
    ) {
        self.name = name
        self.about = about
        self.discussion = discussion
        self.topic = topic
        self.isByTime = byTime
        self.parameters = parameters.map(\.declaration)
        self.open = open
    }
}

/// What an importer knows of a file before its first line.
public struct ImportSource: Sendable {
    /// The file's name without its folder; nil where it has none that says anything, as standard input.
    public var name: String?
    /// The values of the importer's own options.
    public var arguments: Arguments
    /// The clock, for records that no line gives a time.
    public var now: @Sendable () -> Timestamp

    /// A file before its first line.
    public init(name: String?, arguments: Arguments, now: @escaping @Sendable () -> Timestamp) {
        self.name = name
        self.arguments = arguments
        self.now = now
    }

    /// The name up to its first dot.
    public var stem: String? { name.map { String($0.prefix { $0 != "." }) } }
}

/// Makes records of one file's lines. It is used by one import, line by line in order, and may remember what it has read.
public struct ImportReader {
    /// What sets imports of one file apart, such as the site; empty where nothing does.
    public var scope: String
    /// What to say where no line could be read.
    public var hint: String
    /// Another reader in place of this one, where the first line tells how the file is to be read.
    public var told: ((_ first: ArraySlice<UInt8>) -> ImportReader)?
    /// Takes the first record of a table, which names the columns. A table's quoted fields may span lines.
    public var header: ((ArraySlice<UInt8>) throws(Malformed) -> Void)?
    /// Takes a line that was imported before, where lines after it depend on it.
    public var passed: ((ArraySlice<UInt8>) -> Void)?
    /// What else there is to say of the file, when all of it has been read.
    public var notes: (() -> [String])?
    /// What a line says; nil where it says nothing. A line that it refuses is bad, and counted by the refusal's reason.
    public var read: (ArraySlice<UInt8>) throws -> Imported?

    /// A reader that takes each line by `read`; what else it can do is left out where it need not.
    public init(
        scope: String = "", hint: String = "", told: ((_ first: ArraySlice<UInt8>) -> ImportReader)? = nil,
        header: ((ArraySlice<UInt8>) throws(Malformed) -> Void)? = nil,
        passed: ((ArraySlice<UInt8>) -> Void)? = nil, notes: (() -> [String])? = nil,
        read: @escaping (ArraySlice<UInt8>) throws -> Imported?
    ) {
        self.scope = scope
        self.hint = hint
        self.told = told
        self.header = header
        self.passed = passed
        self.notes = notes
        self.read = read
    }
}

/// One line's records, all of one topic and in order, and when what it tells of began.
public struct Imported {
    /// In the order in which they are written.
    public var records: [NewRecord]
    /// The earliest moment that the line tells of.
    public var time: Timestamp
    /// When what it tells of ended, where that is later.
    public var ended: Timestamp?
    /// Each record's moment, where they differ.
    public var moments: [Timestamp]?

    /// What one line says.
    public init(records: [NewRecord], time: Timestamp, ended: Timestamp? = nil, moments: [Timestamp]? = nil) {
        self.records = records
        self.time = time
        self.ended = ended
        self.moments = moments
    }
}
