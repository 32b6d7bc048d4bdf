import { testFeeds } from '../../testing/feed-suite.ts';

testFeeds('socket');
