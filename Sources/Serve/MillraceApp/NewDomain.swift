internal import ArgumentParser
internal import EventModel
internal import Foundation
internal import MillraceBus
internal import SwiftProtobuf

/// `millrace new`.
struct NewDomain: AppCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "new",
            abstract: "Write the folder of a new domain, which builds, runs and passes its tests.",
            paragraphs: """
                The domain is that of the likes of things, under your name: one command, one
                event, a decider, a view, a query, an invariant, a demonstration and its tests.
                Change NAME.proto first, run Tools/proto, and let the compiler lead you.

                Where this folder is Millrace's own package, the domain becomes a folder in
                Sources/Domains, and its tests one in Tests/Domains. Elsewhere it becomes a
                package of its own, with a command line and a program that embeds the bus.
                Nothing that is there is overwritten.

                Examples:
                  \(Program.name) new ratings
                  \(Program.name) new ratings --folder /tmp/ratings --millrace ~/src/millrace
                """)
    }
    @Argument(help: "The domain's name: small letters and digits, such as ratings.")
    var name: String
    @Option(
        help: ArgumentHelp("Where the package is written (default: NAME, here).", valueName: "folder"),
        completion: .directory)
    var folder: String?
    @Option(
        help: ArgumentHelp("Where a package finds Millrace's (default: ../millrace).", valueName: "folder"),
        completion: .directory)
    var millrace: String?

    func run(in app: Application) throws {
        let template = try DomainTemplate(name)
        if app.domains.contains(where: { $0.name == name }) {
            throw Failure(.usage, "there is a domain \(name) already; take another name")
        }
        let isHere = folder == nil && millrace == nil && Self.isOwnPackage
        let files = isHere ? template.filesOfOwnPackage : template.filesOfPackage(millrace: millrace ?? "../millrace")
        let root = isHere ? "." : folder ?? name
        for file in files where FileManager.default.fileExists(atPath: "\(root)/\(file.path)") {
            throw Failure(.cantCreate, "\(root)/\(file.path) is there already; nothing was written")
        }
        for file in files {
            let path = "\(root)/\(file.path)"
            do {
                try FileManager.default.createDirectory(
                    atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
                try Data(file.text.utf8).write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
            } catch {
                throw Failure(.cantCreate, "\(path) cannot be written: \((error as NSError).localizedDescription)")
            }
            try Output.standard.shown(path)
        }
        Output.complain(isHere ? template.nextInOwnPackage : template.nextInPackage(root))
    }

    /// Whether this folder is Millrace's own package, and not one that depends on it.
    private static var isOwnPackage: Bool {
        FileManager.default.fileExists(atPath: "Sources/Domains")
            && FileManager.default.fileExists(atPath: "Sources/Decide/EventModel")
    }
}

/// The example's files under another name.
struct DomainTemplate {
    struct File {
        var path: String
        var text: String
    }
    /// `ratings`, and `Ratings`.
    let name: String
    let type: String

    /// Characters of a name. It becomes part of the names of topics, tables and modules.
    static let longest = 30

    init(_ name: String) throws {
        let isName =
            name.utf8.count <= Self.longest
            && name.utf8.first.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) } == true
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
        if !isName || name == "millrace" {
            throw Failure(
                .usage,
                "\(name) cannot name a domain: it has 1 to \(Self.longest) small letters and digits, a letter first")
        }
        if Self.taken.contains(name) {
            throw Failure(
                .usage, "\(name) cannot name a domain: it is a word of Swift, or of the example; take another")
        }
        (self.name, type) = (name, name.prefix(1).uppercased() + name.dropFirst())
    }

    /// Words that code cannot have for a constant and a type (The Swift Programming Language, Keywords and Punctuation), and
    /// the example's other program.
    private static let taken: Set = [
        "as", "associatedtype", "break", "case", "catch", "class", "continue", "default", "defer", "deinit", "do",
        "else", "embedded", "enum", "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard", "if",
        "import", "in", "init", "inout", "internal", "is", "let", "nil", "operator", "precedencegroup", "private",
        "protocol", "public", "repeat", "rethrows", "return", "self", "static", "struct", "subscript", "super",
        "switch", "throw", "throws", "true", "try", "type", "typealias", "var", "where", "while",
    ]

    /// A file of the example.
    private func text(_ path: String) -> String {
        let base64 = ExampleFiles.all.first { $0.path == path }?.base64 ?? ""
        return Data(base64Encoded: base64).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Puts the domain's name for the example's, in code; what comments say stays.
    func renamed(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let isComment = line.drop { $0 == " " }.hasPrefix("//")
            return isComment && !line.contains("likes.proto") ? String(line) : word(String(line))
        }.joined(separator: "\n")
    }

    /// With its names instead of the example's. A sentence stays as it is: it says what it says of the example, until it is written anew.
    private func word(_ line: String) -> String {
        line.replacing(#/([ "`])([Ll])(ikes [a-z])/#) { "\($0.1)\($0.2)\0\($0.3)" }
            .replacing("Likes", with: type).replacing("likes", with: name).replacing("\0", with: "")
    }

    func filesOfPackage(millrace: String) -> [File] {
        ExampleFiles.all.map { path, _ in
            var text = text(path)
            if path == "Package.swift" {
                text = text.replacing(#"path: "../..""#, with: "path: \"\(millrace)\"")
            }
            if path.hasSuffix(".descriptor.swift") {
                return File(path: word(path), text: descriptor(text, isPublic: true))
            }
            return File(path: word(path), text: renamed(text))
        }
    }

    /// In our own package a domain's types stay in their module, and its folder has a function for the list of all.
    var filesOfOwnPackage: [File] {
        let source = "Sources/LikesDomain/"
        var files = ExampleFiles.all.filter { $0.path.hasPrefix(source) }.map { path, _ in
            let (file, text) = (path.dropFirst(source.count), text(path))
            let target = "Sources/Domains/\(type)/\(word(String(file)))"
            if path.hasSuffix(".descriptor.swift") {
                return File(path: target, text: descriptor(text, isPublic: false))
            }
            return File(path: target, text: renamed(Self.internally(text)))
        }
        files.append(
            File(
                path: "Sources/Domains/\(type)/domain.swift",
                text: """
                    public import EventModel

                    public func domain(_ settings: Settings) throws(Malformed) -> Domain { .\(name) }

                    """))
        let tests = renamed(text("Tests/LikesTests/LikesSpecification.swift"))
        files.append(
            File(
                path: "Tests/Domains/\(type)/\(type)Tests.swift",
                text: tests.replacing("import Millrace\n", with: "import EventModel\n")
                    .replacing("import Testing\n", with: "import SwiftProtobuf\nimport Testing\n")))
        files.append(File(path: "Tests/Domains/\(type)/fields.txt", text: ""))
        files.append(File(path: "Tests/Domains/\(type)/samples.txt", text: ""))
        return files
    }

    /// What was for other packages too, for its own module alone.
    private static func internally(_ text: String) -> String {
        text.replacing("import Millrace\n", with: "internal import EventModel\n")
            .replacing("\nimport SwiftProtobuf\n", with: "\ninternal import SwiftProtobuf\n")
            .replacing("public import SwiftProtobuf", with: "internal import SwiftProtobuf")
            .replacing("public ", with: "")
    }

    /// The descriptor of the renamed messages.
    private func descriptor(_ text: String, isPublic: Bool) -> String {
        let marks = text.split(separator: "\"\"\"", omittingEmptySubsequences: false)
        guard marks.count == 3 else { return text }
        let base64 = marks[1].filter { !$0.isWhitespace && $0 != "\\" }
        let renamed = descriptorRenamed(base64)
        var lines: [Substring] = []
        var rest = renamed[...]
        while !rest.isEmpty {
            lines.append(rest.prefix(110))
            rest = rest.dropFirst(110)
        }
        let body = lines.map { "    \($0)" }.joined(separator: "\\\n")
        return "\(word(String(marks[0])))\"\"\"\n\(body)\n    \"\"\"\(marks[2])"
    }

    /// The same messages in the package, and with the prefix, of the new domain. Where comments stand in the file may be a few
    /// characters off until `make proto` writes it anew.
    private func descriptorRenamed(_ base64: String) -> String {
        guard let data = Data(base64Encoded: base64),
            var set = try? Google_Protobuf_FileDescriptorSet(serializedBytes: data)
        else { return base64 }
        for f in set.file.indices {
            set.file[f].name = "\(name).proto"
            set.file[f].package = "millrace.\(name)"
            set.file[f].options.swiftPrefix = type
            for m in set.file[f].messageType.indices {
                for i in set.file[f].messageType[m].field.indices {
                    let old = set.file[f].messageType[m].field[i].typeName
                    if !old.isEmpty {
                        set.file[f].messageType[m].field[i].typeName =
                            old.replacing(".millrace.likes.", with: ".millrace.\(name).")
                    }
                }
            }
        }
        let bytes: Data? = try? set.serializedBytes()
        return bytes?.base64EncodedString() ?? base64
    }

    var nextInOwnPackage: String {
        """
        \(Program.name): the domain \(name) is written, for things that people like. Next:
          Sources/Domains/\(type)/\(name).proto: your own commands and events; then make proto, and the rest of the folder
          make fields                                   (writes the history of its fields and kinds)
          make build                                    (finds the new folder)
          .build/release/millrace topics declare        (its topics, for topics.yaml)
          .build/release/millrace demo --only \(name)
        Its page is to be docs/domains/\(name).md; docs/new-domain.md goes on from here
        """
    }

    func nextInPackage(_ root: String) -> String {
        """
        \(Program.name): the package \(name) is written. Next:
          cd \(root)
          swift test
          swift run \(name) demo
        Change Sources/\(type)Domain/\(name).proto, and make its Swift with Tools/proto of Millrace's package
        """
    }
}
