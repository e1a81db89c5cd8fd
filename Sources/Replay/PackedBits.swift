extension UInt32 {
  /// One bit, by its place from 0: records of which there are many keep what is true of them above a
  /// number.
  subscript(bit place: UInt32) -> Bool {
    @inline(__always) get { self &>> place & 1 != 0 }
    @inline(__always) set { self = self & ~(1 &<< place) | (newValue ? 1 : 0) &<< place }
  }
}
