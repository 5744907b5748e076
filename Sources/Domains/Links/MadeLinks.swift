package import EventModel
internal import SwiftProtobuf

/// Links as commands would have made them one after the other, without anybody to decide: for who needs more of them than he can wait
/// for. Their codes are those of their buckets.
package struct MadeLinks {
    /// One that was made: its code, and its record.
    package struct Made: Sendable {
        package var code: String
        package var key: Bytes
        package var value: Bytes
    }
    /// How many slots of each bucket were looked at.
    private var used = [UInt16](repeating: 0, count: Int(CodeSpace.buckets))

    package init() {}

    /// - Parameter url: As browsers write it.
    /// - Throws: ``Malformed`` where no command would be taken.
    package mutating func make(owner: String, url: String) throws -> Made {
        let bucket = CodeSpace.bucket(owner: owner, url: url)
        var code: String
        repeat {
            code = CodeSpace.six.code(bucket: bucket, slot: UInt64(used[Int(bucket)]))
            used[Int(bucket)] += 1
        } while !CodeSpace.isFit(code)
        let event = LinksLinkCreated.with { ($0.code, $0.owner, $0.url, $0.terms) = (code, owner, url, LinksTerms()) }
        try Links.check(.linkCreated(event))
        let value: [UInt8] = try LinksEvent.with { $0.kind = .linkCreated(event) }.serializedBytes()
        return Made(code: code, key: Bytes(Links.key(of: .linkCreated(event))), value: Bytes(value))
    }
}
