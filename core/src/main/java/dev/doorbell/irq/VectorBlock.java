package dev.doorbell.irq;

import java.util.OptionalInt;

/// Vectors of one device at one MSI controller. Reads are pure look-ups: they never block or allocate and may be called from any thread.
public interface VectorBlock {
  MsiController controller();

  int count();

  /// {@return the physical address that a vector's message must be written to}
  long doorbell(int index);

  /// {@return the datum of its message}
  int data(int index);

  /// {@return the interrupt that the vector raises now (LPI, SPI, a CPU's vector on x86)}
  int intid(int index);

  /// {@return the interrupt_index of the table entry that a vector's message leads to, where interrupts are remapped (x86)}
  default OptionalInt entry(int index) {
    return OptionalInt.empty();
  }

  /// {@return the number under which {@link MsiController#collect} tells of it: one of the controller's, which never changes while the vector
  /// is taken, where {@link #intid} may change with the CPU}
  default int number(int index) {
    return intid(index);
  }

  /// {@return the CPU it is routed to}
  int cpu(int index);

  /// {@return whether an active vector is moved, posted and taken back from a guest in one step. Where not, a message that comes in the middle is
  /// lost, so that its function is held back meanwhile where it can be}
  default boolean changesAtOnce() {
    return true;
  }

  /// Makes the controller deliver a vector to a CPU. One that is active is moved there.
  void activate(int index, int cpu);

  /// Stops delivery; a message that arrives is dropped, one that is pending is discarded.
  void deactivate(int index);

  /// Moves a vector to another CPU. No message is lost: one that is pending moves along.
  ///
  /// @throws IllegalArgumentException when the controller has no such CPU; the vector stays where it was
  void retarget(int index, int cpu);

  /// Ends a {@link #retarget} that changed the vector's message, after its function was programmed with the new one: what arrived meanwhile at
  /// the former place moves along, and that place is given back. Until then the former message is delivered, too, and a move back to its CPU
  /// restores it. Does nothing where a message stays as it is.
  default void finishMove(int index) {}

  /// Posts an active vector's messages to a guest's processor: {@link MsiController#collect} tells of none until {@link #endPost}. What had
  /// arrived before is told. The vector keeps its place at its CPU; posted, it cannot be moved or held back here.
  ///
  /// @throws PostingUnsupported when the controller cannot; messages arrive as before
  /// @throws IllegalStateException when it is not active
  default void post(int index, PostedInterrupt to) {
    throw new PostingUnsupported("vector " + index, controller().id(), "no guest is known to it");
  }

  /// Ends {@link #post}: on return messages arrive at the vector's CPU again, and no further one in the descriptor. Does nothing where it is
  /// not posted.
  default void endPost(int index) {}

  /// Makes an active vector pending at its controller, as its message would; one that is held back stays pending. The function has no part in it.
  ///
  /// @throws PendingStateUnsupported when the controller has no such order
  /// @throws IllegalStateException when it is not active
  default void raise(int index) {
    throw new PendingStateUnsupported("vector " + index, controller().id());
  }

  /// Forgets that an active vector is pending, and what of it was not collected yet. A message that comes meanwhile is forgotten or is told.
  ///
  /// @throws PendingStateUnsupported when the controller has no such order
  /// @throws IllegalStateException when it is not active
  default void clearPending(int index) {
    throw new PendingStateUnsupported("vector " + index, controller().id());
  }

  /// Holds a vector back at the controller; messages stay pending.
  void mask(int index);

  /// Lets a vector through, a pending message included.
  void unmask(int index);

  /// Gives all vectors back and drops what is pending.
  void free();
}
