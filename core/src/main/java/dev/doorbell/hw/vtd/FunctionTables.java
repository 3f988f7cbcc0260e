package dev.doorbell.hw.vtd;

import dev.doorbell.iommu.StreamAttachments.Orders;

/// The tables that lead from a function to its address space, of legacy or of scalable mode, as the driver writes them. The driver's lock guards
/// them.
interface FunctionTables {
  /// {@return RTADDR_REG: the root table, and its mode}
  long root();

  /// Gives the root table back, which leads to no other yet.
  void free();

  /// {@return an entry that leads to tables}
  FunctionEntry translated(VtdAddressSpace space);

  /// {@return an entry that lets addresses pass}
  ///
  /// @param levels the most that the unit has
  FunctionEntry passing(int domain, int levels);

  /// {@return a function's entry}
  FunctionEntry get(int sourceId);

  /// Writes an entry in the place of one that is not present.
  void put(int sourceId, FunctionEntry entry);

  /// Takes an entry's P away, and leaves the rest.
  void remove(int sourceId);

  /// Makes the unit forget an entry that was removed, and the pages that it led to.
  void forget(QueueDriver queue, int sourceId, FunctionEntry was, Orders orders);

  /// Makes the unit forget all entries that led to an address space, and its pages.
  void forget(QueueDriver queue, VtdAddressSpace space);

  /// Makes a unit that keeps what is absent (CAP_REG.CM) look at an entry.
  void appeared(QueueDriver queue, int sourceId, FunctionEntry is, Orders orders);

  /// What a function's entry says.
  ///
  /// @param low the first quadword, with P in bit 0 in either mode
  /// @param third of scalable mode
  /// @param domain the domain id in it
  record FunctionEntry(long low, long second, long third, int domain) {
    static final FunctionEntry ABSENT = new FunctionEntry(0, 0, 0, 0);

    boolean isPresent() {
      return (low & 1) != 0;
    }
  }
}
