package dev.doorbell.hw.vtd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.irq.X86Interrupt;
import dev.doorbell.route.Oracle;
import dev.doorbell.testkit.Json;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The captures' truth was found by another walker, confirmed by the process's page map and by the interrupts that arrived.
class VtdWalkerCapturesTest {
  private record Captured(VtdWalker walker, Json.Node truth, Map<String, Integer> requesters) {}

  private static Captured read(String machine) throws IOException {
    Oracle oracle = Oracle.of(machine, "vtd");
    return new Captured(
        new VtdWalker("vt-d", oracle.registers(), oracle.memory()::read64),
        oracle.truth(),
        oracle.requesters());
  }

  @ParameterizedTest
  @DisplayName(
      "every programmed vector of every captured Intel machine: same entry, same vector, same destination; another's requester id breaks at the entry")
  @CsvSource({
    "x86-vtd-intremap, 28",
    "x86-vtd-iommufd, 24",
    "x86-vtd-scalable-fs, 24",
    "x86-vtd-nointremap, 24"
  })
  void vectors(String machine, int count) throws IOException {
    Captured captured = read(machine);
    int seen = 0;
    for (Json.Node v : captured.truth.get("vectors").list()) {
      Json.Node truth = v.get("remap");
      int requester = (int) v.get("requester_id").number();
      long address = v.get("addr").number();
      int data = (int) v.get("data").number();
      VtdMessage m = captured.walker.message(requester, address, data);
      X86Interrupt out = m.interrupt().orElseThrow();
      assertEquals(truth.get("vector").number(), out.vector());
      assertEquals(truth.get("dest").number(), out.destination());
      VtdMessage forged = captured.walker.message(requester ^ 0x100, address, data);
      if (truth.get("index").isPresent()) {
        String at = "IRTE " + truth.get("index").number();
        assertEquals(at, m.hops().getLast().at());
        long pa = truth.get("irte_pa").number();
        assertEquals(
            "memory page 0x%x+0x%x".formatted(pa & -4096, pa & 4095),
            m.hops().getLast().source().toString());
        assertTrue(forged.stoppedAt().orElseThrow().startsWith("fault 26h"), forged::toString);
        assertEquals(at, forged.hops().getLast().at());
      } else {
        assertEquals(m.interrupt(), forged.interrupt(), "nothing looks at who sends");
      }
      seen++;
    }
    assertEquals(count, seen);
  }

  @ParameterizedTest
  @DisplayName(
      "every DMA page of every captured Intel machine lies where the process's page map says; what was not mapped breaks as the kernel's log says")
  @CsvSource({
    "x86-vtd-intremap, 40, fault 5h",
    "x86-vtd-iommufd, 24, fault 5h",
    "x86-vtd-nointremap, 24, fault 5h",
    "x86-vtd-scalable-fs, 24, fault 71h"
  })
  void dma(String machine, int pages, String fault) throws IOException {
    Captured captured = read(machine);
    int found = 0;
    for (Json.Node page : captured.truth.get("dma").list()) {
      String bdf = page.get("bdf").text();
      VtdWalk walk =
          captured.walker.dma(
              captured.requesters.get(bdf), new Iova(page.get("iova").number()), true);
      assertEquals(
          Optional.of(new Pa(page.get("pa_from_pagemap").number())),
          walk.output(),
          () -> bdf + " " + page.get("iova").text() + " " + walk.stoppedAt());
      found++;
    }
    assertEquals(pages, found);
    VtdWalk missed = captured.walker.dma(0x28, new Iova(0x900_0000L), true);
    assertTrue(missed.stoppedAt().orElseThrow().startsWith(fault), missed::toString);
  }
}
