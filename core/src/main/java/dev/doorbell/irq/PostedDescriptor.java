package dev.doorbell.irq;

/// What a guest's processor has in memory for interrupts that devices post to it: a bit for each of its 256 vectors, and whether and how the
/// processor of the host that runs it is notified. A device's post sets the vector's bit. It notifies when no notification is outstanding, and,
/// unless it is urgent, none is suppressed.
///
/// Where the entries of a remapping table say who is notified, and not the descriptor (AMD), every post notifies, an urgent one is as any other, and
/// what comes while notifications are suppressed is in a log: {@link InterruptPosting#waiting}.
///
/// A virtual machine monitor has one for each processor of a guest. Nothing is lost when it
///
/// - takes ({@link #take}) after each notification: only taking lets another one come;
/// - looks (takes) when {@link #resume} or {@link #send} says so: what was posted meanwhile told nobody there.
///
/// Safe for use from many threads, devices included; no method blocks.
public interface PostedDescriptor extends AutoCloseable {
  /// Quadwords of requests.
  int WORDS = 4;

  /// {@return its physical address, for {@link PostedInterrupt}}
  long address();

  /// Sends notifications from now on to a processor of the host.
  ///
  /// {@return whether one is outstanding that went where they went before: the caller then looks himself}
  ///
  /// @param vector of the host's processor, 16 to 255; without meaning where a doorbell tells it that raises none (AMD)
  /// @param apicId which processor
  boolean send(int vector, long apicId);

  /// Lets posts that are not urgent notify no processor. Their bits are set all the same.
  void suppress();

  /// Ends {@link #suppress}.
  ///
  /// {@return whether something is posted and no notification outstanding: the caller then looks himself}
  boolean resume();

  /// Takes what was posted, and lets the next post notify again.
  ///
  /// {@return how many vectors were taken}
  ///
  /// @param into {@link #WORDS} quadwords, to which the bits of the vectors are added: vector n is bit n mod 64 of quadword n / 64
  int take(long[] into);

  /// Gives the memory back. No vector may be posted here any more.
  @Override
  void close();
}
