/// Where blocks of keys and values are kept that memory has no room for.
///
/// A block that is read is the one that was written, or ``DamagedBlock`` is thrown: what was cut off, altered or put in another's
/// place never comes back. It is called by one task at a time for changes, and by several for reads. It is no store of record: the
/// log is.
package protocol BlockStore: AnyObject, Sendable {
    /// Keeps a block, and gives its number.
    func write(_ block: [UInt8]) throws -> Int
    func read(_ number: Int) throws -> [UInt8]
    /// Its room is free again.
    func drop(_ number: Int)
}

/// A block that does not say any more what was written.
package struct DamagedBlock: Error, Sendable, CustomStringConvertible {
    package var place: String
    package var why: String
    package init(_ place: String, _ why: String) { (self.place, self.why) = (place, why) }
    package var description: String { "\(place) is damaged: \(why)" }
}
