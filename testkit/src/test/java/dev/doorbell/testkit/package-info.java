/// Tests of the test kit: it is trusted by all other tests.
@NullMarked
package dev.doorbell.testkit;

import org.jspecify.annotations.NullMarked;
