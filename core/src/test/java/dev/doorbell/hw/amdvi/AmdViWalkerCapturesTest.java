package dev.doorbell.hw.amdvi;

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
import org.junit.jupiter.api.Test;

/// The capture's truth was found by another walker, confirmed by the process's page map and by the interrupts that arrived.
class AmdViWalkerCapturesTest {
  private record Captured(AmdViWalker walker, Json.Node truth, Map<String, Integer> requesters) {}

  private static Captured read() throws IOException {
    Oracle oracle = Oracle.of("x86-amdvi", "amdvi");
    return new Captured(
        new AmdViWalker("amd-vi", oracle.registers(), oracle.memory()::read64),
        oracle.truth(),
        oracle.requesters());
  }

  @Test
  @DisplayName(
      "every programmed vector: same device table entry, same entry, same vector, same destination")
  void vectors() throws IOException {
    Captured captured = read();
    int seen = 0;
    for (Json.Node v : captured.truth.get("vectors").list()) {
      Json.Node truth = v.get("remap");
      AmdViMessage m =
          captured.walker.message(
              (int) v.get("requester_id").number(),
              v.get("addr").number(),
              (int) v.get("data").number());
      X86Interrupt out = m.interrupt().orElseThrow();
      assertEquals(truth.get("vector").number(), out.vector());
      assertEquals(truth.get("dest").number(), out.destination());
      long pa = truth.get("irte_pa").number();
      assertEquals(
          "memory page 0x%x+0x%x".formatted(pa & -4096, pa & 4095),
          m.hops().getLast().source().toString());
      seen++;
    }
    assertEquals(24, seen);
  }

  @Test
  @DisplayName(
      "an index of bits that are delivery mode SMI, and one that nobody enabled, break at their entry")
  void breaks() throws IOException {
    AmdViWalker walker = read().walker;
    assertTrue(
        walker
            .message(0x200, 0xfee0_0000L, 600)
            .stoppedAt()
            .orElseThrow()
            .contains("delivery mode 2"));
    AmdViMessage unused = walker.message(0x200, 0xfee0_0000L, 100);
    assertTrue(unused.stoppedAt().orElseThrow().contains("RemapEn=0"), unused::toString);
    assertEquals("IRTE 100", unused.hops().getLast().at());
  }

  @Test
  @DisplayName(
      "every DMA page lies where the process's page map says; the address of 0 that the log has breaks")
  void dma() throws IOException {
    Captured captured = read();
    int found = 0;
    for (Json.Node page : captured.truth.get("dma").list()) {
      String bdf = page.get("bdf").text();
      AmdViWalk walk =
          captured.walker.dma(
              captured.requesters.get(bdf), new Iova(page.get("iova").number()), true);
      assertEquals(
          Optional.of(new Pa(page.get("pa_from_pagemap").number())),
          walk.output(),
          () -> bdf + " " + page.get("iova").text() + " " + walk.stoppedAt());
      found++;
    }
    assertEquals(24, found);
    AmdViWalk missed = captured.walker.dma(0x28, new Iova(0x900_0000L), true);
    assertTrue(missed.stoppedAt().orElseThrow().startsWith("IO_PAGE_FAULT"), missed::toString);
  }
}
