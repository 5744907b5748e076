import ArgumentParser
import EventLog
import Foundation
import Testing

@testable import MillraceApp

@Suite("Exit codes")
struct ExitTests {
    @Test func `an error that nobody has foreseen is no refusal`() {
        #expect(Exit.report(CocoaError(.fileNoSuchFile)) == 70)
        #expect(Exit.report(POSIXError(.EIO)) == 70)
        #expect(Exit.report(LogError(.denied, "no")) == 77)
        #expect(Exit.report(Failure(.refused, "no")) == 1)
        #expect(Exit.report(ValidationError("no")) == 64)
        #expect(Exit.report(ExitCode.failure) == 1)
    }
}
