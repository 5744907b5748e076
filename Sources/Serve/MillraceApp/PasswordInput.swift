internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import MillraceBus
internal import Passwords

/// Where a password comes from: never from an argument, which every user of the machine can read (`ps`).
struct PasswordInput: ParsableArguments {
    @Option(
        name: .customLong("password-file"),
        help: ArgumentHelp(
            "The file whose first line is the password; - is standard input (default: it is asked for on the terminal).",
            valueName: "file"), completion: .file())
    var path: String?

    /// - Parameter twice: Whether it is asked for once more, for nobody sees what is typed.
    func read(twice: Bool) throws -> Password {
        let text =
            try path.map { try SecretLine.read($0, "password", atMost: PasswordLimits.bytes) }
            ?? Self.asked(twice: twice)
        do throws(Malformed) {
            return try Password(text)
        } catch {
            throw Failure(.data, error.message)
        }
    }

    private static func asked(twice: Bool) throws -> String {
        if isatty(STDIN_FILENO) != 1 {
            throw Failure(.usage, "say where the password is: --password-file FILE, or - for standard input")
        }
        let first = try typed("password: ")
        if twice, try typed("the same again: ") != first { throw Failure(.data, "the two differ; nothing was done") }
        return first
    }

    /// What is typed on the terminal, which does not show it.
    private static func typed(_ prompt: String) throws -> String {
        var shown = termios()
        if tcgetattr(STDIN_FILENO, &shown) != 0 {
            throw Failure(.ioError, "the terminal cannot be asked: \(String(cString: strerror(errno)))")
        }
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown)
            StandardError.write("\n")
        }
        StandardError.write(prompt)
        return try SecretLine.read(from: STDIN_FILENO, "the terminal", "password", atMost: PasswordLimits.bytes)
    }
}

/// Where what checks passwords is kept.
struct CredentialsOption: ParsableArguments {
    @Option(
        name: .customLong("credentials"),
        help: ArgumentHelp(
            "The file for what checks passwords (also MILLRACE_CREDENTIALS; default: beside the log).",
            valueName: "file"),
        completion: .file())
    var path: String?

    func file(_ places: LogAndViewOptions) throws -> CredentialFile {
        let said = path ?? ProcessInfo.processInfo.environment["MILLRACE_CREDENTIALS"].flatMap { $0.isEmpty ? nil : $0 }
        if let said { try Self.lookForFolder(of: said) }
        return CredentialFile(try said ?? places.logPlace().fileOfCredentials)
    }

    /// The file is made with the first password, perhaps long after the start; nobody makes its folder.
    private static func lookForFolder(of file: String) throws {
        let folder = (file as NSString).deletingLastPathComponent
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder)
        if folder.isEmpty || (isThere && isFolder.boolValue) { return }
        throw Failure(
            .cantCreate,
            """
            there is no folder \(folder) for the store of credentials \(file); make it, or name another file with \
            --credentials
            """)
    }
}
