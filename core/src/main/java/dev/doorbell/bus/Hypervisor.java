package dev.doorbell.bus;

import java.util.Optional;

/// The calls by which the guest of a hypervisor has done what it may not do itself (PAPR). Safe for use from many threads.
///
/// **Source**: LoPAPR 1.1, 7.2 (RTAS argument buffers), 14.5 (hypervisor calls).
public interface Hypervisor {
  /// Makes a hypervisor call. Allocates nothing.
  ///
  /// @param cpu the processor that makes it, from 0: some calls are about the caller's own state
  /// @param registers R3 and following: the call's number and its arguments. On return the status, and what the call tells
  void hcall(int cpu, long[] registers);

  /// Makes a call of the run-time abstraction services (RTAS).
  ///
  /// @param call its name, which is a property of `/rtas`
  /// @param results takes the status and what the call tells; its length says how much is wanted
  /// {@return whether there is such a call}
  boolean rtas(String call, int[] arguments, int[] results);

  /// {@return the page by which a processor, numbered from 0, manages what it is presented with itself, and which all have at the same address (TIMA, as the
  /// operating system sees it); empty where there is none, or it cannot be reached}
  default Optional<RegisterBus> context(int cpu) {
    return Optional.empty();
  }
}
