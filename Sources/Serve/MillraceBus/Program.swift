package import Synchronization

/// What the program is called, in all that it says: `millrace`, or as an application of one's own calls itself.
package enum Program {
    /// Of the command line that is run by this task.
    @TaskLocal package static var ofTask: String?
    /// Of this process: what threads that serve no task, such as those of signals, have to say bears it too.
    package static let ofProcess = Mutex("millrace")

    package static var name: String { ofTask ?? ofProcess.withLock { $0 } }
}
