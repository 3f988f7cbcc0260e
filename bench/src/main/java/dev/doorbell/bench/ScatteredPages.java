package dev.doorbell.bench;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.iommu.Protection;

/// One address space of 4 KiB pages whose physical places are scattered, for devices from 0 on, and translations of it in an order that nothing
/// foresees.
///
/// @param pages a power of two
record ScatteredPages(int pages, int devices) {
  private static final long FIRST_IOVA = 0x1_0000_0000L;
  private static final long FIRST_PA = 0x10_0000_0000L;
  private static final long UNMAPPED = 0x4_0000_0000L;

  // Odd, so that a product with it permutes any power of two of pages: neighbours are never mapped
  // as a block.
  private static final int SCATTER = 0x9e37_79b1;

  /// Maps all pages and lets all devices translate by them.
  void attach(Iommu driver) {
    AddressSpace space = driver.createAddressSpace(Granule.K4);
    for (int i = 0; i < pages; i++) {
      space.map(new Iova(iova(i)), new Pa(pa(i)), Granule.K4.bytes(), Protection.READ_WRITE);
    }
    for (int device = 0; device < devices; device++) {
      driver.attach(device, space);
    }
  }

  /// {@return where devices see a page}
  long iova(int i) {
    return FIRST_IOVA + page(i);
  }

  long pa(int i) {
    return FIRST_PA + page(i * SCATTER);
  }

  private long page(int i) {
    return (long) (i & (pages - 1)) << Granule.K4.shift();
  }

  /// {@return the page of a turn, at random}
  int at(int turn) {
    return (turn * SCATTER) >>> 7;
  }

  /// {@return where a turn's device reaches a turn's page}
  long mapped(Translator iommu, int turn) {
    long pa = translate(iommu, turn, iova(at(turn)));
    if (pa == Translator.FAULT) {
      throw new IllegalStateException("a mapped page faulted");
    }
    return pa;
  }

  /// {@return the fault of a turn's device at a page that is not mapped}
  long unmapped(Translator iommu, int turn) {
    long pa = translate(iommu, turn, UNMAPPED + page(at(turn)));
    if (pa != Translator.FAULT) {
      throw new IllegalStateException("a page that is not mapped was translated");
    }
    return pa;
  }

  private long translate(Translator iommu, int turn, long iova) {
    return iommu.translate(Integer.remainderUnsigned(turn, devices), -1, iova, Translator.WRITE);
  }
}
