internal import Synchronization

/// What the program is called, in all that it says: `millrace`, or as an application of one's own calls itself.
enum Program {
    /// Of the command line that is run by this task.
    @TaskLocal static var ofTask: String?
    /// Of this process: what threads that serve no task, such as those of signals, have to say bears it too.
    static let ofProcess = Mutex("millrace")

    static var name: String { ofTask ?? ofProcess.withLock { $0 } }
}
