package dev.doorbell.firmware;

import static dev.doorbell.explain.Oddity.Effect.NONE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.MachineDescription;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName(
    "IORTs of real machines with an RMR node, words of it replaced: nothing is reserved that no word says")
class RmrMutationTest {
  private static final String IORT = AcpiTables.FOLDER + "/IORT";

  /// Words that firmware writes when it errs.
  private static final long[] LIES = {
    0,
    1,
    15,
    16,
    19,
    20,
    28,
    0x7f,
    0xff,
    0xffff,
    0x7fff_ffffL,
    0x8000_0000L,
    0xffff_fff0L,
    0xffff_ffffL
  };

  @TempDir Path folder;

  /// {@return captured tables with an RMR node at their end, of two ranges and four StreamIDs of their first SMMU: no captured machine has one
  /// of its own}
  private static List<byte[]> tables() throws IOException {
    List<byte[]> out = new ArrayList<>();
    try (Stream<Path> all = Files.list(Shared.require("captures/arm64"))) {
      for (Path p : all.map(p -> p.resolve(IORT)).filter(Files::exists).sorted().toList()) {
        Findings findings = new Findings();
        AcpiTable.read(Blob.of("IORT", Files.readAllBytes(p)), "IORT", findings)
            .map(t -> Iort.read(t, findings))
            .filter(i -> findings.oddities().stream().noneMatch(o -> o.effect() != NONE))
            .flatMap(RmrMutationTest::withNode)
            .ifPresent(out::add);
      }
    }
    return out;
  }

  private static Optional<byte[]> withNode(Iort iort) {
    Stream<IortNode> smmus =
        Stream.concat(iort.ofType(IortNode.SMMU3).stream(), iort.ofType(IortNode.SMMU).stream());
    Blob b = iort.table().blob();
    return smmus
        .findFirst()
        .map(smmu -> {
          byte[] old = b.copy(0, b.size());
          Bytes node = new Bytes().u8(6).u16(28 + 40 + 20).u8(3).u32(0, 1, 68).u32(1, 2, 28);
          node.u64(0x9_0000_0000L, 0x1_0000).u32(0).u64(0xa_0000_0000L, 0x1000).u32(0);
          byte[] added = node.u32(0, 3, 0x400, smmu.offset(), 0).toArray();
          byte[] table = Arrays.copyOf(old, old.length + added.length);
          System.arraycopy(added, 0, table, old.length, added.length);
          put(table, 4, table.length);
          // Where firmware left room after its last node the new one would not be found.
          return nodesEndAt(iort) == old.length ? counted(table, iort.nodes().size() + 1) : null;
        });
  }

  private static int nodesEndAt(Iort iort) {
    IortNode last = iort.nodes().lastEntry().getValue();
    return last.offset() + iort.table().blob().getInt(last.offset(), IortLayout.LENGTH);
  }

  private static byte[] counted(byte[] table, int nodes) {
    put(table, IortLayout.NODE_COUNT.offset(), nodes);
    return table;
  }

  /// {@return where the words of RMR nodes, their ranges and their id mappings begin}
  private static List<Integer> places(byte[] table) {
    Blob b = Blob.of("IORT", table);
    Findings findings = new Findings();
    Iort iort = Iort.read(AcpiTable.read(b, "IORT", findings).orElseThrow(), findings);
    List<Integer> out = new ArrayList<>();
    for (IortNode node : iort.ofType(IortNode.RMR)) {
      int length = b.getInt(node.offset(), IortLayout.LENGTH);
      for (int at = node.offset(); at + Integer.BYTES <= node.offset() + length; at += 4) {
        out.add(at);
      }
    }
    return out;
  }

  private static void put(byte[] table, int at, long value) {
    for (int i = 0; i < Integer.BYTES; i++) {
      table[at + i] = (byte) (value >>> 8 * i);
    }
  }

  private MachineDescription read(byte[] table) throws IOException {
    Path file = folder.resolve(IORT);
    Files.createDirectories(file.getParent());
    Files.write(file, table);
    return Firmware.read(Sysroot.open(folder));
  }

  /// Each region lies where two 64-bit words of its source say, and is reserved at an SMMU that is there.
  private static void sound(MachineDescription m, byte[] table) {
    Blob b = Blob.of("IORT", table);
    for (MachineDescription.Reservation r : m.reserved()) {
      long at = r.region().source().offset();
      assertEquals(b.get(at, IortLayout.RANGE_START), r.region().range().start());
      assertEquals(b.get(at, IortLayout.RANGE_BYTES), r.region().range().bytes());
      assertTrue(r.iommu().flatMap(m::iommu).isPresent(), r::toString);
      assertTrue(!r.streamIds().isEmpty(), r::toString);
    }
  }

  @Test
  @DisplayName("each word of each RMR node replaced by each lie, and three words at once")
  void words() throws IOException {
    List<byte[]> tables = tables();
    assertTrue(tables.size() > 5, tables.size() + " captures can be given an RMR node");
    int changed = 0;
    int told = 0;
    Set<Integer> seen = new HashSet<>();
    for (byte[] original : tables) {
      MachineDescription whole = read(original);
      sound(whole, original);
      assertEquals(2, whole.reserved().size(), "both ranges, at one SMMU");
      List<Integer> places = places(original);
      for (int at : places) {
        long lie = LIES[(at / 4 + seen.size()) % LIES.length];
        seen.add(at);
        byte[] table = original.clone();
        put(table, at, lie);
        MachineDescription m = read(table);
        sound(m, table);
        if (!m.reserved().equals(whole.reserved())) {
          changed++;
          told += m.oddities().equals(whole.oddities()) ? 0 : 1;
        }
      }
    }
    assertTrue(changed > 0 && told > 0, changed + " changed, " + told + " told");
    Property.check("mutated RMR", 150, random -> several(tables, random));
  }

  private void several(List<byte[]> tables, SeededRandom random) throws IOException {
    byte[] table = random.pick(tables).clone();
    List<Integer> places = places(table);
    for (int i = 0; i < 3; i++) {
      put(
          table,
          random.pick(places),
          random.oneIn(2) ? random.anyMagnitude() : LIES[random.below(LIES.length)]);
    }
    sound(read(table), table);
  }
}
