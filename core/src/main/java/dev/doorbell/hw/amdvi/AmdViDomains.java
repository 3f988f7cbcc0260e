package dev.doorbell.hw.amdvi;

import java.util.BitSet;

/// DomainIDs of all AMD IOMMUs of one machine: an address space has the same on every IOMMU it is attached to. 0 is left out, as devices
/// without an address space have it. Safe for use from many threads.
public final class AmdViDomains {
  private static final int ALL = (int) DteLayout.DOMAIN_ID.max();

  private final BitSet taken = new BitSet();

  public AmdViDomains() {
    taken.set(0);
  }

  synchronized int take() {
    int id = taken.nextClearBit(0);
    if (id > ALL) {
      throw new AmdViDomainsExhausted(ALL);
    }
    taken.set(id);
    return id;
  }

  synchronized void giveBack(int id) {
    taken.clear(id);
  }
}
