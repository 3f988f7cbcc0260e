package dev.doorbell.pci;

/// A function's message-signalled interrupts, MSI or MSI-X, as the irq room programs them. Not safe for use from many threads for one
/// function; different functions are independent.
///
/// Every write keeps the order the specification asks for: an entry is masked while its address and data change, so that no message mixes
/// old and new. Where the function cannot mask one vector, messages are off meanwhile; what the function has pending then stays pending.
public interface MessageTable {
  /// The two kinds.
  enum Kind {
    MSI,
    MSIX
  }

  Kind kind();

  /// {@return vectors that the function asks for: 1 to 32 (MSI, a power of two) or 1 to 2048 (MSI-X)}
  int size();

  /// {@return whether single vectors can be masked at the function}
  boolean isMaskable();

  /// {@return whether the function can write to addresses of 4 GiB and above}
  boolean is64Bit();

  /// {@return the largest datum a message can carry: 16 bits for MSI without extended data, 32 for MSI-X}
  long maxData();

  /// Programs a vector. The vector's mask is as before afterwards.
  ///
  /// For MSI all vectors share the address, and vector n sends the data of vector 0 with its low bits replaced by n: vectors above 0
  /// are accepted when they agree with that and change nothing.
  ///
  /// @throws MessageRefused when the address or the datum does not fit the function, or an MSI vector does not follow vector 0
  void write(int index, long address, int data);

  /// {@return the address that a vector is programmed with; for MSI-X as the table holds it}
  long address(int index);

  /// {@return the datum that a vector sends}
  int data(int index);

  /// Masks or unmasks a vector; one that is pending fires when it is unmasked.
  ///
  /// @throws MessageRefused when the function cannot mask single vectors
  void mask(int index, boolean masked);

  boolean isMasked(int index);

  /// {@return whether a message waits for its vector to be unmasked; false where the function cannot mask}
  boolean isPending(int index);

  /// Turns messages on, with the function's wired interrupt off.
  ///
  /// @param count vectors in use: for MSI a power of two, not above {@link #size}; for MSI-X ignored
  void enable(int count);

  /// Turns messages off. Programmed messages stay.
  void disable();

  boolean isEnabled();

  /// Registers as they were at one moment.
  interface Saved {
    /// Puts every register back. Messages are off meanwhile unless they were on.
    void restore();
  }

  /// {@return the registers of the capability, some of the table's entries, and the function's
  /// wired-interrupt switch as they are now, to be put back when a change fails}
  ///
  /// @param first the first entry; of MSI all vectors are remembered
  Saved save(int first, int count);
}
