package dev.doorbell.hw.papr;

import dev.doorbell.irq.InterruptSink;
import java.util.BitSet;
import java.util.List;
import java.util.Map;

/// Routes a guest's interrupts to its processors and takes them there, in the way that the guest has agreed upon with its hypervisor
/// (`ibm,client-architecture-support`). Safe for use from many threads.
public sealed interface PaprInterruptDriver permits PaprXicsDriver, PaprXiveDriver {
  /// {@return a driver of processors that the hypervisor presents with interrupts when they ask (XICS), and that take everything}
  ///
  /// @param servers their numbers, at least one and at most 128
  static PaprInterruptDriver open(PaprCalls calls, List<Long> servers) {
    return PaprXicsDriver.open(calls, servers);
  }

  /// {@return a driver of interrupts that the guest manages itself (XIVE), and processors that take everything}
  ///
  /// @throws PaprException when the hypervisor refuses a queue
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for queues; nothing is kept then
  static PaprInterruptDriver open(PaprCalls calls, PaprHardware.Exploitation hw) {
    return PaprXiveDriver.open(calls, hw);
  }

  /// {@return processors, numbered from 0}
  int cpus();

  /// Has a source tell a processor from now on. What it told before is forgotten.
  ///
  /// @param held whether it keeps one message instead
  /// @throws IllegalArgumentException when there is no such processor
  void start(int number, int cpu, boolean held);

  /// Has a source tell nobody, and forgets what it told.
  void stop(int number);

  /// Sends a source's interrupts to another processor; one that has arrived and was not collected moves along.
  ///
  /// @param held whether the source is held back, and stays so
  /// @throws IllegalArgumentException when there is no such processor
  void move(int number, int cpu, boolean held);

  /// Holds a source back: it remembers one message.
  void hold(int number);

  /// Lets a source go on that was held back.
  void letThrough(int number);

  /// Takes what has arrived of some sources. The sink is called with the lock held.
  void collect(BitSet of, InterruptSink sink);

  /// {@return the processor that a source's last interrupt came to, or will come to}
  int cpu(int number);

  /// Tells where a source's interrupts go, by the names that a walker knows.
  void tell(int number, Map<String, Long> out);
}
