// what tests need
